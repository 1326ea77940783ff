"""FHIR XML ⇄ the same tree as FHIR JSON, by the tables of `shapes`: what is checked, mapped and kept never knows which came.

Source: https://hl7.org/fhir/R4/xml.html
"""

from app.fhir.xml.reader import read
from app.fhir.xml.writer import write

__all__ = ["read", "write"]
