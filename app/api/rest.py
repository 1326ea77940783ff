"""The REST API, one line a room."""

from fastapi import APIRouter

from app.api.me import router as me
from app.api.me_session import router as me_session
from app.exchange.handover_router import router as handovers
from app.exchange.router import router as exchanges
from app.features.access_cards.router import router as access_cards
from app.features.access_log.router import me as my_visits
from app.features.access_log.router import router as access_log
from app.features.alerts.router import router as alerts
from app.features.calendar.router import me as my_events
from app.features.calendar.router import router as events
from app.features.consents.router import me as my_consents
from app.features.consents.router import router as consents
from app.features.contacts.router import router as contacts
from app.features.copies.router import me as my_copies
from app.features.copies.router import router as copies
from app.features.emergency.router import router as emergency
from app.features.explain.router import router as explain
from app.features.judicial.router import router as judicial
from app.features.minor_secret.router import router as secrets
from app.features.narrowing.router import router as narrowings
from app.features.professionals.inviting import router as inviting
from app.features.professionals.router import router as professionals
from app.features.projects.me import me_router as my_project
from app.features.projects.router import router as projects
from app.features.purposes.router import router as purposes
from app.features.sessions.router import me as my_sessions
from app.features.sessions.router import router as sessions
from app.features.settings.router import router as settings
from app.features.stays.router import router as stays
from app.features.structures.router import router as structures
from app.features.teams.router import me as my_teams
from app.features.teams.router import router as teams
from app.features.transmissions.router import me as my_transmissions
from app.features.transmissions.router import router as transmissions
from app.features.usagers.router import router as usagers
from app.features.withholding.router import router as withheld
from app.vault.copy.router import router as making

PREFIX = "/api/v1"


def rest() -> APIRouter:
    router = APIRouter(prefix=PREFIX)
    router.include_router(me)
    router.include_router(me_session)
    router.include_router(my_visits)
    router.include_router(my_transmissions)
    router.include_router(access_log)
    router.include_router(access_cards)
    router.include_router(sessions)
    router.include_router(my_sessions)
    router.include_router(structures)
    router.include_router(settings)
    router.include_router(inviting)
    router.include_router(narrowings)
    router.include_router(explain)
    router.include_router(professionals)
    router.include_router(teams)
    router.include_router(my_teams)
    router.include_router(usagers)
    router.include_router(contacts)
    router.include_router(stays)
    router.include_router(projects)
    router.include_router(my_project)
    router.include_router(transmissions)
    router.include_router(events)
    router.include_router(my_events)
    router.include_router(emergency)
    router.include_router(purposes)
    router.include_router(alerts)
    router.include_router(judicial)
    router.include_router(secrets)
    router.include_router(withheld)
    router.include_router(handovers)
    router.include_router(copies)
    router.include_router(making)
    router.include_router(my_copies)
    router.include_router(exchanges)
    router.include_router(consents)
    router.include_router(my_consents)
    return router
