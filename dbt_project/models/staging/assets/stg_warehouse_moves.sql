{{ staged('warehouse_moves') }}
