"""The only writer: admission, pool, sequencer, recovery, and checked reading."""
