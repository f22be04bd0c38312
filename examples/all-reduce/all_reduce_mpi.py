"""Every rank brings a number, and all must know the sum: over MPI."""
import os
import socket

from mpi4py import MPI

world = MPI.COMM_WORLD
assert world.rank == int(os.environ["OMPI_COMM_WORLD_RANK"])
total = world.allreduce(world.rank + 1)
assert total == world.size * (world.size + 1) // 2, total
print(f"rank {world.rank} of {world.size} on {socket.gethostname()}: sum {total}", flush=True)
