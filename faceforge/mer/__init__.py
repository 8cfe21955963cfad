"""Which action units moved between two pictures: motion, judges, and the score of an edit."""
