"""Pure routing decisions: state + input + now -> new state + effects + trace."""
