"""What stands on a page, tag by tag."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """The tags of a page with their attributes, and its texts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data.strip())

    def of(self, tag):
        """Attributes of every tag of a name."""
        return [attrs for name, attrs in self.tags if name == tag]
