"""A resource's inputs as arguments of AWS's API."""

from local.resources.arguments import arguments


def test_inputs_get_the_names_and_numbers_of_the_api() -> None:
    """Pulumi passes every number as a float, and AWS's clients take no float for an integer."""
    inputs = {"batchSize": 10.0, "share": 0.5, "rules": [{"expiration": {"days": 7.0}, "sseAlgorithm": "AES256"}]}
    expected = {"BatchSize": 10, "Share": 0.5, "Rules": [{"Expiration": {"Days": 7}, "SSEAlgorithm": "AES256"}]}
    found = arguments(inputs, *inputs)
    assert found == expected
    assert isinstance(found["BatchSize"], int)


def test_only_the_named_inputs_are_passed_if_they_are_there() -> None:
    """An input that a resource does not have keeps the default of AWS's API."""
    assert arguments({"timeout": 60.0, "tags": {"Stack": "local"}}, "timeout", "layers") == {"Timeout": 60}
