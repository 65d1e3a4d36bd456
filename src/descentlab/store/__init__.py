"""The store: results folders of immutable Parquet segments, checkpoints and provenance."""
