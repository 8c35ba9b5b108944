"""The shell around the engine: settings, telemetry, and all that makes activities true."""
