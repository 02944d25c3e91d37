extension Collection where Element: Comparable {
    /// The middle element, the larger of two. The collection must not be empty.
    public var median: Element { sorted()[count / 2] }
}
