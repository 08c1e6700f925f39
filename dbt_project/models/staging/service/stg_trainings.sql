{{ staged('trainings') }}
