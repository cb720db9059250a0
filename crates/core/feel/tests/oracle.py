"""Answers lines of `left right scale rounding` with what decimal128 gives: both operands, sum, difference, product,
quotient, rest with the sign of the divisor, left rounded to the scale, and the order."""

import decimal
import sys

decimal.setcontext(
    decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=1, traps=[])
)
read = decimal.getcontext().create_decimal
# As many digits as the quotient of the largest by the smallest number has.
exact = decimal.Context(prec=12400, Emin=-20000, Emax=20000, traps=[])


def modulo(left, right):
    rest = exact.remainder(left, right)
    return rest + right if rest and rest.is_signed() != right.is_signed() else rest


for line in sys.stdin:
    left, right, scale, rounding = line.split()
    left, right = read(left), read(right)
    rounded = left.quantize(read("1e" + str(-int(scale))), rounding="ROUND_" + rounding)
    # More digits than there are: nothing has to be rounded.
    rounded = left if rounded.is_nan() else rounded
    order = (left > right) - (left < right)
    print(left, right, left + right, left - right, left * right, left / right, modulo(left, right), rounded, order)
