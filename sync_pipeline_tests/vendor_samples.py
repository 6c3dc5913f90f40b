"""Samples of the vendors' pages that several tests read, as printed."""

from __future__ import annotations

# CRM.COM `GET /contacts/{id}/communications`: the one item of `content`.
COMMUNICATION_ITEM = b"""{
"id": "6A24D2B5E44F44B28451FE021FCAD51E",
"life_cycle_state": "PENDING",
"contact_id": "CAD1E31269B76D7A65ACCE45B2E68DFD",
"channel": "EMAIL",
"is_viewed": true,
"viewed_on": 1583846865,
"is_archived": true,
"clicked_on": 1,
"language": "ENG",
"sender": "dev@crm.com",
"recipient": "jon@crm.com",
"content": "",
"subject": "",
"name": "Happy Birthday"
}"""

# The whole answer.
COMMUNICATIONS = (
    b"""{
"content": [
"""
    + COMMUNICATION_ITEM
    + b"""
],
"paging": {
"page": 2,
"size": 20,
"total": 1124
}
}
"""
)

# CRM.COM `GET /communications/{id}`: its own id is not in it.
COMMUNICATION = b"""{
"life_cycle_state": "PENDING",
"contact": {
"id": "CAD1E31269B76D7A65ACCE45B2E68DFD",
"name": "John Johnson",
"code": "C123"
},
"channel": "EMAIL",
"is_viewed": true,
"viewed_on": 1583846865,
"is_archived": true,
"clicked_on": 1,
"language": "ENG",
"sender": "dev@crm.com",
"recipient": "jon@crm.com",
"subject": "Award Provided",
"content": "You have been awarded!",
"name": "Happy Birthday",
"created_on": 1583846865,
"title": "New Festive Beverages",
"subtitle": "20% discount for December",
"in_app_image_url": "",
"in_app_click_link_url": ""
}"""
