"""The application's side: report what happened, from inside other people's programs.

A caller here never waits for the log, never handles its exceptions and never
loses a record without being told. The package stays free of the server and its
database. It has no room yet.
"""
