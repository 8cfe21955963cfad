"""The embedded head: anatomy as formulas, so that anyone may use it and no licensed file is needed."""
