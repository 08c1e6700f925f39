{{ staged('recognitions') }}
