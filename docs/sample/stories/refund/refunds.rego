package refunds

R3 := amount > 25
