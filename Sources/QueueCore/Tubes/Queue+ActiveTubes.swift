/// Active tubes: somebody watches them, or jobs of theirs are cached or being read. Periodic work goes over these
/// alone, so that its cost depends on what is in use and not on how many tubes exist.
///
/// A tube that is not active has no cached job, and its horizon is where nothing is known.
extension Queue {
    mutating func activate(_ tube: Int) {
        guard tubes[tube].activeIndex < 0 else { return }
        tubes[tube].activeIndex = active.count
        active.append(tube)
    }

    /// Takes a tube out of the active ones, whatever it is like.
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

    /// Called once a poll: clients come back, so a tube stays active for a moment.
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
