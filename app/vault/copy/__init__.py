"""The copy of a dossier for the person: everything kept about them that they may get (RGPD art. 15 and 20, CSP L1111-7)."""
