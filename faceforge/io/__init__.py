"""Files in and out: pictures, provenance, and readers of foreign files that execute nothing."""
