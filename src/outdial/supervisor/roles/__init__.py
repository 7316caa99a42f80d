"""One module for each role: builds the role's parts from the settings and runs them until told to stop."""
