"""Complete, provable syncs of CRM.COM, ROCS and RoSaaS into PostgreSQL."""
