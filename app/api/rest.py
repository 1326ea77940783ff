"""The REST API, one line a room."""

from fastapi import APIRouter, Depends

from app.api.known import known_parameters
from app.api.me import router as me
from app.api.me_session import router as me_session
from app.api.sending import router as sent
from app.exchange.handover_router import router as handovers
from app.exchange.router import me as my_exchanges
from app.exchange.router import router as exchanges
from app.features.access_cards.router import router as access_cards
from app.features.access_log.router import me as my_visits
from app.features.access_log.router import router as access_log
from app.features.alerts.router import router as alerts
from app.features.assessments.router import me as my_assessments
from app.features.assessments.router import router as assessments
from app.features.calendar.router import me as my_events
from app.features.calendar.router import router as events
from app.features.consents.router import me as my_consents
from app.features.consents.router import router as consents
from app.features.contacts.router import router as contacts
from app.features.copies.router import me as my_copies
from app.features.copies.router import router as copies
from app.features.deaths.router import router as deaths
from app.features.documents.router import me as my_documents
from app.features.documents.router import router as documents
from app.features.emergency.router import router as emergency
from app.features.explain.router import router as explain
from app.features.judicial.router import router as judicial
from app.features.life_projects.router import me as my_life_project
from app.features.life_projects.router import router as life_projects
from app.features.meals.router import me as my_meals
from app.features.meals.router import router as meals
from app.features.minor_secret.router import router as secrets
from app.features.mobility.router import me as my_mobility
from app.features.mobility.router import router as mobility
from app.features.narrowing.router import router as narrowings
from app.features.orientation.router import decisions, my_decisions, my_requests, requests
from app.features.presences.router import me as my_presences
from app.features.presences.router import router as presences
from app.features.professionals.inviting import router as inviting
from app.features.professionals.router import router as professionals
from app.features.projects.me import me_router as my_project
from app.features.projects.router import router as projects
from app.features.purposes.router import router as purposes
from app.features.schooling.router import me as my_schooling
from app.features.schooling.router import router as schooling
from app.features.sessions.router import me as my_sessions
from app.features.sessions.router import router as sessions
from app.features.settings.router import router as settings
from app.features.stays.router import router as stays
from app.features.structures.router import router as structures
from app.features.teams.router import me as my_teams
from app.features.teams.router import router as teams
from app.features.transmissions.router import me as my_transmissions
from app.features.transmissions.router import router as transmissions
from app.features.transports.router import me as my_transports
from app.features.transports.router import router as transports
from app.features.usagers.router import router as usagers
from app.features.withholding.router import router as withheld
from app.vault.copy.router import router as making

PREFIX = "/api/v1"


def rest() -> APIRouter:
    router = APIRouter(prefix=PREFIX, dependencies=[Depends(known_parameters)])
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
    for room in (
        schooling,
        my_schooling,
        mobility,
        my_mobility,
        deaths,
        requests,
        my_requests,
        decisions,
        my_decisions,
    ):
        router.include_router(room)
    router.include_router(contacts)
    router.include_router(stays)
    router.include_router(life_projects)  # before `/projects/{project_id}`
    router.include_router(projects)
    router.include_router(my_life_project)
    router.include_router(my_project)
    router.include_router(assessments)
    router.include_router(my_assessments)
    router.include_router(transmissions)
    router.include_router(presences)  # before the events, whose addresses hold any name
    router.include_router(my_presences)
    router.include_router(documents)
    router.include_router(my_documents)
    router.include_router(meals)
    router.include_router(my_meals)
    router.include_router(transports)
    router.include_router(my_transports)
    router.include_router(events)
    router.include_router(my_events)
    router.include_router(emergency)
    router.include_router(purposes)
    router.include_router(alerts)
    router.include_router(judicial)
    router.include_router(secrets)
    router.include_router(withheld)
    router.include_router(handovers)
    router.include_router(sent)
    router.include_router(copies)
    router.include_router(making)
    router.include_router(my_copies)
    router.include_router(exchanges)
    router.include_router(my_exchanges)
    router.include_router(consents)
    router.include_router(my_consents)
    return router
