"""The only writer of live state: reads inputs in order, steps the core, commits, fires timers, hands over."""
