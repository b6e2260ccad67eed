from segrun.seeds import generator


def test_a_part_repeats_itself_and_differs_from_others_and_other_seeds():
    first = generator(0, "augment").integers(0, 2**62)
    assert generator(0, "augment").integers(0, 2**62) == first
    assert generator(0, "silhouette").integers(0, 2**62) != first
    assert generator(1, "augment").integers(0, 2**62) != first
