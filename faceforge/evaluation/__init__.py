"""Evaluating an editor: edits over faces, units, doses and seeds, judged, scored and shown."""
