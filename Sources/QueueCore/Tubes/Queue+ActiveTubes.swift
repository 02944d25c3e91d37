/// The tubes that something goes on in: somebody watches them, or jobs of theirs are cached or being read. What is
/// looked at again and again goes over these, so that it costs what goes on here and not what there is.
///
/// Of a tube that is not among them nothing is cached, and the horizon is where nothing is known.
extension Queue {
    mutating func activate(_ tube: Int) {
        guard tubes[tube].activeIndex < 0 else { return }
        tubes[tube].activeIndex = active.count
        active.append(tube)
    }

    /// Takes a tube out, whatever it is like.
    mutating func deactivate(_ tube: Int) {
        let place = tubes[tube].activeIndex
        guard place >= 0 else { return }
        tubes[tube].activeIndex = -1
        let last = active.removeLast()
        if last != tube {
            active[place] = last
            tubes[last].activeIndex = place
        }
    }

    /// Once a poll: clients come back, so that they have gone is not noted at once.
    mutating func deactivateIdle() {
        for tube in active where tubes[tube].isIdle {
            deactivate(tube)
            tubes[tube].cache.horizon = .first
        }
    }
}

extension Tube {
    fileprivate var isIdle: Bool {
        watching == 0 && !isAwaited && cache.heap.isEmpty && !cache.isRefilling && cache.idleSince == nil
    }
}
