"""Every picture that segrun draws; the only room that knows matplotlib."""
