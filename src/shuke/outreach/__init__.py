"""Floor 5, doors out: what the books want told goes to whoever is to hear it."""
