import AdminAPI
import Testing

@testable import Terminal

/// Moving about: screens, pages, orders, intervals.
@Suite("Terminal: movement") struct MovementTests {
    private func loads(_ driver: inout Driver) -> [Request] {
        defer { driver.effects = [] }
        return driver.effects.compactMap { if case .load(let request) = $0 { request } else { nil } }
    }

    @Test func downToAJobAndBack() {
        var driver = Driver()
        driver.press(.enter)
        #expect(loads(&driver) == [.jobs(JobFilter(tube: "mail"), after: nil)])
        driver.answer(.jobs(JobPage(jobs: [Sample.job(7)], next: nil, searchedTo: 7), nil))
        driver.press(.enter)
        #expect(loads(&driver) == [.job(7)])
        driver.press(.escape)
        #expect(driver.screen.contains("Jobs  tube mail"))
        driver.press(.escape)
        #expect(driver.screen.contains("3 tubes"))
    }

    /// The keys that do not fit are reached with the arrows.
    @Test func theHelpMoves() {
        var driver = Driver(width: 60, height: 12)
        driver.type("?")
        #expect(driver.footer == "↑ and ↓ show the rest; any other key goes back.")
        #expect(driver.screen.contains("Everywhere") && !driver.screen.contains("delays"))
        driver.press(.down)
        #expect(!driver.screen.contains("Everywhere") && driver.screen.contains("opens what"))
        driver.press(.end)
        #expect(driver.screen.contains("t      delays"))
        driver.press(.pageDown)
        #expect(driver.screen.contains("t      delays"))
        driver.press(.home)
        #expect(driver.screen.contains("Everywhere"))
        driver.type("x")
        #expect(driver.screen.contains("3 tubes"))
    }

    @Test func ordersOfTubes() {
        var driver = Driver()
        driver.type("RRNN")
        let sorts = loads(&driver).map { if case .tubes(_, let sort) = $0 { sort } else { "" } }
        #expect(sorts == ["ready", "-ready", "name", "-name"])
        #expect(driver.screen.contains("by name, reversed"))
    }

    @Test func theFilterOfTubes() {
        var driver = Driver()
        driver.type("/thu")
        driver.press(.enter)
        #expect(loads(&driver) == [.tubes(filter: "thu", sort: "worst")])
        driver.press(.escape)
        #expect(loads(&driver) == [.tubes(filter: nil, sort: "worst")])
    }

    /// The cursor stays on its tube when the order changes.
    @Test func theCursorFollowsItsTube() {
        var driver = Driver()
        driver.press(.down)
        driver.answer(.tubes(Sample.page([Sample.tubes[1], Sample.tubes[0]])))
        #expect(driver.screen.contains(">thumbnails"))
        // It was on the first row: it goes on showing what comes first.
        driver.press(.up, .up)
        driver.answer(.tubes(Sample.page()))
        #expect(driver.screen.contains(">mail"))
        // Its tube is gone.
        driver.press(.end)
        driver.answer(.tubes(Sample.page([Sample.tubes[0]])))
        #expect(driver.screen.contains(">mail"))
    }

    @Test func pagesOfJobs() {
        var driver = Driver()
        driver.press(.enter)
        driver.answer(.jobs(JobPage(jobs: [Sample.job(1), Sample.job(2)], next: "two", searchedTo: 2), nil))
        driver.press(.down)
        #expect(loads(&driver) == [])
        driver.press(.down)
        #expect(loads(&driver) == [.jobs(JobFilter(tube: "mail"), after: "two")])
        driver.answer(.jobs(JobPage(jobs: [Sample.job(3)], next: nil, searchedTo: 3), nil))
        #expect(driver.screen.contains("page 2"))
        driver.press(.down)
        #expect(loads(&driver) == [])
        driver.press(.up)
        #expect(loads(&driver) == [.jobs(JobFilter(tube: "mail"), after: nil)])
    }

    @Test func otherScreens() {
        var driver = Driver()
        for (key, request) in [("2", Request.holders), ("3", .brokers), ("4", .clients), ("5", .warnings)] {
            driver.type(key)
            #expect(loads(&driver) == [request])
        }
        driver.press(.escape)
        #expect(driver.screen.contains("3 tubes"))
    }

    @Test func intervalAndPause() {
        var driver = Driver()
        driver.send(.time(0.9))
        #expect(loads(&driver) == [])
        driver.send(.time(1))
        #expect(loads(&driver).count == 1)
        // Nothing more is asked while there is no answer.
        driver.send(.time(5))
        #expect(loads(&driver) == [])
        driver.answer(.tubes(Sample.page()))
        driver.type(" ")
        driver.send(.time(100))
        #expect(loads(&driver) == [])
        #expect(driver.screen.contains("paused  22:13:20"))
        driver.type(" +")
        #expect(driver.screen.contains("every 2 s"))
        driver.type("---")
        #expect(driver.screen.contains("every 0.5 s"))
    }

    /// What was asked for by a screen that was left is not shown on another.
    @Test func aLateAnswer() {
        var driver = Driver()
        driver.type("3")
        driver.send(
            .answer(
                .tubes(filter: nil, sort: "worst"),
                .success(Answer(overview: Sample.overview(), content: .tubes(Sample.page())))))
        #expect(driver.screen.contains("Brokers"))
        #expect(!driver.screen.contains("mail"))
    }

    @Test func theEnd() {
        var driver = Driver()
        driver.type("q")
        #expect(driver.effects == [.quit])
        driver.effects = []
        driver.type("/q")
        #expect(driver.effects == [], "it is text")
        driver.press(.control("c"))
        #expect(driver.effects == [.quit])
    }
}
