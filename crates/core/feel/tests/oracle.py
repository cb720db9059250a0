"""Answers lines of `left right scale rounding` with what decimal128 gives: both operands, sum, difference, product,
quotient, left rounded to the scale, and the order."""

import decimal
import sys

decimal.setcontext(
    decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=1, traps=[])
)
read = decimal.getcontext().create_decimal
for line in sys.stdin:
    left, right, scale, rounding = line.split()
    left, right = read(left), read(right)
    rounded = left.quantize(read("1e" + str(-int(scale))), rounding="ROUND_" + rounding)
    # More digits than there are: nothing has to be rounded.
    rounded = left if rounded.is_nan() else rounded
    order = (left > right) - (left < right)
    print(left, right, left + right, left - right, left * right, left / right, rounded, order)
