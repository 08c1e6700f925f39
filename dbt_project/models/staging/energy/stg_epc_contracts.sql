{{ staged('epc_contracts') }}
