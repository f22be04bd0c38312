"""Every rank brings a number, and all must know the sum: over torch.distributed's gloo."""
import os
import socket

import torch
import torch.distributed as distributed

distributed.init_process_group("gloo")  # RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say the rest
rank, size = distributed.get_rank(), distributed.get_world_size()
mine = torch.full((1000,), float(rank + 1))
distributed.all_reduce(mine)
expected = size * (size + 1) / 2
assert (mine == expected).all(), mine
print(f"rank {rank} of {size} on {socket.gethostname()}, node {os.environ['NODE_RANK']}: sum {mine[0].item():.0f}", flush=True)
distributed.barrier()
