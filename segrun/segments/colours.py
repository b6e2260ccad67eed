"""The colours of segments, the same in every picture and table."""

#: Told apart by colour-blind people too: M. Okabe, K. Ito, "Color universal design" (2008), the
#: yellow darkened for white paper, and P. Tol's muted scheme (2021) after them.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#332288",
    "#44AA99", "#882255", "#999933", "#AA4499", "#117733", "#661100", "#6699CC", "#888888",
)  # fmt: skip
#: Rows that are in no segment.
NOISE = "#BBBBBB"
