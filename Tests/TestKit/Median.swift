extension Collection where Element: Comparable {
    /// The one in the middle, of two the larger; there has to be one.
    public var median: Element { sorted()[count / 2] }
}
