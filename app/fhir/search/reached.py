"""How who is reached at an address is searched; a protected one is found by nobody of outside."""

from typing import Any

from app.fhir.search.criteria import Criterion, Mask, Telecom, Words


def reached(table: Any) -> dict[str, Criterion]:
    mask = Mask(table, table.address_protected)
    whole = (table.address, table.postal_code, table.city, table.country)
    return {
        "address": Words(whole, words=True, mask=mask),
        "address-city": Words((table.city,), mask=mask),
        "address-country": Words((table.country,), mask=mask),
        "address-postalcode": Words((table.postal_code,), mask=mask),
        "email": Telecom(email=table.email, mask=mask),
        "phone": Telecom(phone=table.phone, mask=mask),
        "telecom": Telecom(table.phone, table.email, mask=mask),
    }
