{{ staged('office_changes') }}
