"""Who is asking, and whether they may: logins, keys, cookies, origins and rates."""
