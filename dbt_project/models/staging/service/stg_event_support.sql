{{ staged('event_support') }}
