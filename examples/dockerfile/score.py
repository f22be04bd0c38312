import numpy

print(numpy.ones(3).sum())
