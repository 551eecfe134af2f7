"""What-if: a day, recorded or made up, replayed through the real core on a virtual clock (ROUTE-19).

No Redis, no event loop, no PBX: `replay` is the engine, `telephone_system` answers the core's commands in virtual
time, `ledger` writes down what became of everybody. Everything random is drawn in `workload`, once per replication and
for all configurations that are compared.
"""
