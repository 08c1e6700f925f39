{{ staged('service_assessments') }}
