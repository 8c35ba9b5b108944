"""Floor 4: a program over a history. Reads what happened from files and runs the engine over it.

``history`` turns files into activities (also for the importer); nothing here touches a database server.
"""
