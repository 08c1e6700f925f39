{{ staged('real_assets') }}
