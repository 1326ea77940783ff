"""REST of requests for orientation and of decisions: for staff applications, and for the person's own."""

from app.features.orientation.service import DECISIONS, REQUESTS
from app.features.situations.rooms import opened

requests, my_requests = opened(REQUESTS)
decisions, my_decisions = opened(DECISIONS)
