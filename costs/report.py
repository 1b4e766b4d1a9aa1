"""The estimate for people, as tables, and for machines, as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from rich.table import Column, Table

from components import prices
from costs import assumptions, scale
from costs.bill import Bill, Line, total
from costs.console import print_texts, wide_console
from costs.estimate import PARTS, STACK, Estimate
from costs.formats import FormatPrice, format_prices, print_formats
from costs.reference import ReferenceSetup
from costs.scale import Limit
from costs.workload import Assumption, Workload

BILLED_PARTS = (*PARTS, STACK)
SET_UPS = ("PixelCascade", "reference set-up")
LARGE = 100  # Above this, decimals do not matter.


@dataclass(frozen=True, kw_only=True)
class EstimateReport:
    """Two bills for one workload, the limits of the first, and the assumptions of both."""

    workload: Workload
    bill: Bill
    reference: Bill
    limits: Sequence[Limit]
    beside: Sequence[str]
    region: str
    rate: float
    formats: Sequence[FormatPrice]
    assumptions: Sequence[Assumption]

    @classmethod
    def make(cls, estimate: Estimate, reference: ReferenceSetup, *, region: str, rate: float) -> Self:
        """Compute both bills and the limits; `rate` is the uploads per second of the busiest time.

        Raises: DurationsError.
        """
        plain = replace(estimate, config=replace(estimate.config, output_formats={}, protect_data=False))
        return cls(
            workload=estimate.workload,
            bill=estimate.bill(),
            reference=reference.bill(plain.bill().keeping),
            limits=scale.limits(estimate, region),
            beside=scale.beside(estimate),
            region=region,
            rate=rate,
            formats=format_prices(estimate),
            assumptions=[
                _prices_of(region),
                *estimate.workload.assumptions(),
                *assumptions.measured(estimate),
                *assumptions.TAKEN,
                *reference.assumptions(),
            ],
        )

    def show(self, *, verbose: bool = False) -> None:
        """Print the answer and the cost of each service; if `verbose`, every line, limit, assumption and price too."""
        console = wide_console()
        formats = (one.sentence() for one in self.formats if verbose or one.made or one.instead)
        for sentence in (self._month(), *self._elsewhere(), self._first_limit(), *formats):
            console.print(sentence, highlight=False, soft_wrap=True)
        if not verbose:
            console.print(self._services())
            console.print("For every line, limit, assumption and price: --verbose.", highlight=False)
            return
        print_texts(console, self._bills())
        print_formats(console, self.formats)
        print_texts(console, self._scale())
        for sentence in self.beside:
            console.print(sentence, highlight=False, soft_wrap=True)
        print_texts(console, self._assumptions())
        print_texts(console, _prices())

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "workload": asdict(self.workload),
            "prices": {
                "region": prices.REGION,
                "read": prices.READ,
                "table": [{"name": price.name, "dollars": price, "source": price.source} for price in prices.TABLE],
            },
            "pixelcascade": _plain(self.bill),
            "reference": _plain(self.reference),
            "formats": [one.plain() for one in self.formats],
            "scale": {"rate": self.rate, "limits": [asdict(limit) for limit in self.limits], "beside": self.beside},
            "assumptions": [assumption._asdict() for assumption in self.assumptions],
        }

    def _bills(self) -> Table:
        pictures = f"{self.workload.images:,.0f} pictures of {self.workload.megapixels:g} megapixels"
        title = f"{pictures} in a month: US dollars, {prices.REGION}, list prices of {prices.READ}"
        table = Table(Column("part", no_wrap=True), "what", *map(_right, ("number", *SET_UPS)), title=title)
        both = (self.bill, self.reference)
        for part in BILLED_PARTS:
            _add_lines(table, part, self.bill.work, self.reference.work)
            sums = [total(line for line in bill.work if line.part == part) for bill in both]
            _add_sums(table, part, "together", sums)
            table.add_section()
        for service, sums in self._by_service():
            _add_sums(table, "all parts", service, sums)
        _add_sums(table, "all parts", "the month's work", [bill.dollars for bill in both])
        table.add_section()
        for part in BILLED_PARTS:
            _add_lines(table, part, self.bill.keeping, self.reference.keeping)
        _add_sums(table, "all parts", "each month of storage", [total(bill.keeping) for bill in both])
        return table

    def _services(self) -> Table:
        """Return what each service costs, the most expensive first."""
        table = Table("service", *map(_right, SET_UPS), title="US dollars a month")
        for service, dollars in sorted(self._by_service(), key=lambda row: -row[1][0]):
            table.add_row(service, *(f"{sum_:,.2f}" for sum_ in dollars))
        return table

    def _by_service(self) -> Iterator[tuple[str, list[float]]]:
        for service in dict.fromkeys(price.service for price in prices.TABLE):
            sums = [
                total(line for line in bill.work if line.price.service == service)
                for bill in (self.bill, self.reference)
            ]
            if any(sums):
                yield service, sums

    def _month(self) -> str:
        workload, kept = self.workload, total(self.bill.keeping)
        ratio = self.reference.dollars / self.bill.dollars
        return (
            f"{workload.images:,.0f} pictures of {workload.megapixels:g} megapixels in a month cost "
            f"{self.bill.dollars:,.2f} US dollars, the reference set-up {ratio:.2f} times as much; storing the results "
            f"costs {kept:,.2f} each month ({prices.REGION}, list prices of {prices.READ})."
        )

    def _elsewhere(self) -> Iterator[str]:
        if self.region != prices.REGION:
            yield f"These are the prices of {prices.REGION}. The stack is in {self.region}, where prices differ."

    def _scale(self) -> Table:
        columns = ("limit", "default", _right("reached at"), f"enough for {self.rate:,.1f}", "raised by", "source")
        table = Table(*columns, title="Scale sheet: images per second at which each limit is reached")
        for limit in self.limits:
            enough = "yes" if limit.per_second >= self.rate else "no"
            table.add_row(limit.name, limit.default, f"{limit.per_second:,.1f}", enough, limit.moved_by, limit.source)
        return table

    def _first_limit(self) -> str:
        first = self.limits[0]
        return (
            f"Reached first, at {first.per_second:,.1f} images per second: {first.name}, {first.default}; "
            f"raised by: {first.moved_by}. Above this rate, messages wait in their queue or are retried."
        )

    def _assumptions(self) -> Table:
        table = Table("assumption", "value", "why, and what changes it", title="Assumptions")
        for assumption in self.assumptions:
            table.add_row(*assumption)
        return table


def _right(name: str) -> Column:
    return Column(name, justify="right")


def _add_lines(table: Table, part: str, ours: Sequence[Line], theirs: Sequence[Line]) -> None:
    """Add a row for each price that one of the two pays for a part."""
    columns = [[line for line in lines if line.part == part] for lines in (ours, theirs)]
    for name in dict.fromkeys(line.price.name for lines in columns for line in lines):
        own, other = ([line for line in lines if line.price.name == name] for lines in columns)
        number = _number(sum(line.count for line in own)) if own else ""
        table.add_row(part, name, number, *(f"{total(found):,.2f}" if found else "" for found in (own, other)))


def _add_sums(table: Table, part: str, what: str, dollars: Sequence[float]) -> None:
    table.add_row(part, what, "", *(f"{sum_:,.2f}" for sum_ in dollars), style="bold")


def _number(count: float) -> str:
    """Return a count, with decimals if it is small and not a whole number."""
    return f"{count:,.0f}" if count == round(count) or count > LARGE else f"{count:,.2f}"


def _prices_of(region: str) -> Assumption:
    where = "and so is the stack" if region == prices.REGION else f"the stack is in {region}, where prices differ"
    return Assumption("prices", f"{prices.REGION}, {prices.READ}", f"list prices, {where}")


def _prices() -> Table:
    title = f"Prices: {prices.REGION}, {prices.READ}"
    table = Table("price", _right("US dollars for a million"), "source", title=title)
    for price in prices.TABLE:
        table.add_row(price.name, f"{price * prices.MILLION:,.2f}", price.source)
    return table


def _plain(bill: Bill) -> dict[str, Any]:
    return {
        "dollars": bill.dollars,
        "keeping_dollars": total(bill.keeping),
        "work": [_plain_line(line) for line in bill.work],
        "keeping": [_plain_line(line) for line in bill.keeping],
    }


def _plain_line(line: Line) -> dict[str, Any]:
    return {"part": line.part, "what": line.price.name, "count": line.count, "dollars": line.dollars}
