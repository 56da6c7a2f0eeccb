"""Money that is given back as goodwill."""
