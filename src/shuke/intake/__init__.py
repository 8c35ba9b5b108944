"""Floor 5: doors in. What other systems know, turned into activities: one file per platform, and the importer."""
