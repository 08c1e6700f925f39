{{ staged('leases') }}
