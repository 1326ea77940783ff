"""What keeps the base beyond a day: backup and restore, the keys on live data, the copy of a dossier, its erasure."""
