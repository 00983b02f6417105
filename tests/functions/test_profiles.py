"""What is remembered of a person: registers, in any order of arrival."""

import pytest

from chalicelib import payloads as p
from chalicelib import wiring
from chalicelib.events import iso
from tests.functions import facts
from tests.functions.facts import heard, said
from tests.functions.hub import Hub
from tests.gateways.aws import Aws
from tests.samples import NOW


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


PLACE = ("IDENTITY#" + facts.ANN.path, "CONV#190300550011001")


def test_a_profile_remembers_the_last_time_somebody_spoke(hub: Hub, aws: Aws) -> None:
    hub.deliver("profiles", said("hello"))
    hub.deliver("profiles", heard("whatsapp/image"))
    item = hub.item(*PLACE)
    assert item["last_at"] == iso(NOW) and item["conversation_id"] == facts.WITH_ANN
    assert aws.said() == []


def test_a_business_that_speaks_opens_no_window(hub: Hub, aws: Aws) -> None:
    hub.deliver("profiles", heard("whatsapp/text", author=p.Author(kind="business")))
    assert aws.items() == []


def test_of_two_wishes_at_one_moment_the_withdrawal_counts(hub: Hub) -> None:
    both = heard("whatsapp/preferences_stop"), heard("whatsapp/preferences_resume")
    for pair in (both, both[::-1]):
        hub.deliver("profiles", *pair)
        [item] = wiring.table().query(PLACE[0], "CONSENT#")
        assert item["withdrawn"] is True


def test_a_status_never_falls(hub: Hub) -> None:
    read, sent, delivered = (heard("whatsapp/status_out_of_order", n) for n in range(3))
    hub.deliver("profiles", read, sent, delivered)
    [item] = [i for i in hub.aws.items() if i["sk"]["S"] == "STATUS"]
    assert item["status"]["S"] == "read"
