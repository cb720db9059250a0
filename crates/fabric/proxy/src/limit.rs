//! Whether a request may go on now: rates, retry budgets, circuit limits.
