import AdminAPI
import Testing

@testable import Terminal

/// What keys do, with what is asked before.
@Suite("Terminal: actions") struct ActionTests {
    private func jobs(_ mayAct: Bool = true) -> Driver {
        var driver = Driver(mayAct: mayAct)
        driver.press(.enter)
        driver.answer(
            .jobs(JobPage(jobs: (1...3).map { Sample.job($0) }, next: nil, searchedTo: 3), nil), mayAct: mayAct)
        return driver
    }

    @Test func oneJob() {
        var driver = jobs()
        driver.press(.down)
        driver.type("d")
        #expect(driver.footer == "Delete job 2? y/N")
        #expect(driver.commands() == [])
        driver.type("n")
        #expect(driver.footer == "Nothing was done.")
        #expect(driver.commands() == [])
        driver.type("dy")
        #expect(driver.commands() == [.jobs(.delete, JobActionRequest(ids: [2]))])
        driver.send(.outcome(.jobs(.delete, JobActionRequest(ids: [2])), .success(.acted(ActionAnswer(changed: 1)))))
        #expect(driver.footer == "1 job deleted.")
    }

    /// Enter is not yes: it is pressed too easily.
    @Test(arguments: [Key.enter, .escape, .character(" "), .character("n"), .character("N")])
    func allButYesIsNo(key: Key) {
        var driver = jobs()
        driver.type("d")
        driver.press(key)
        #expect(driver.commands() == [])
        #expect(driver.footer == "Nothing was done.")
    }

    @Test func markedJobs() {
        var driver = jobs()
        driver.type("xx")
        #expect(driver.screen.contains("2 marked"))
        driver.type("b")
        #expect(driver.footer == "Bury 2 jobs? y/N")
        driver.type("y")
        #expect(driver.commands() == [.jobs(.bury, JobActionRequest(ids: [1, 2]))])
        let skipped = ActionAnswer(changed: 1, skipped: [SkippedJob(id: 2, reason: "reserved")])
        driver.send(.outcome(.jobs(.bury, JobActionRequest(ids: [1, 2])), .success(.acted(skipped))))
        #expect(driver.footer == "1 job buried; 1 left as it is: 2 (reserved).")
        #expect(!driver.screen.contains("marked"))
    }

    @Test func valuesAreAskedFor() {
        var driver = jobs()
        driver.type("mother tube")
        driver.press(.backspace)
        #expect(driver.footer == "Move to the tube: other tub")
        driver.press(.control("u"))
        driver.type("other")
        driver.press(.enter)
        #expect(driver.footer == "Move job 1 to other? y/N")
        driver.type("y")
        #expect(driver.commands() == [.jobs(.move, JobActionRequest(ids: [1], tube: "other"))])
        driver.type("p-1")
        driver.press(.enter)
        #expect(driver.footer == "A priority is a number, 0 to 4294967295.")
        driver.type("p7")
        driver.press(.enter)
        driver.type("y")
        #expect(driver.commands() == [.jobs(.priority, JobActionRequest(ids: [1], priority: 7))])
        driver.type("t60")
        driver.press(.escape)
        #expect(driver.commands() == [])
    }

    /// All that match: counted first, then done with that count, then followed.
    @Test func aFilter() {
        var driver = jobs()
        let filter = JobFilter(tube: "mail", state: "buried")
        driver.type("ssss")
        driver.answer(.jobs(JobPage(jobs: [Sample.job(1, "buried")], next: "t", searchedTo: 1), nil))
        driver.type("*k")
        #expect(driver.commands() == [.count(filter)])
        #expect(driver.footer.hasPrefix("Counting the jobs to be kicked"))
        driver.send(.outcome(.count(filter), .success(.counted(JobCount(count: 12431, isPartial: false)))))
        #expect(driver.footer == "Kick 12,431 jobs (tube mail, buried)? y/N")
        driver.type("y")
        let request = OperationRequest(action: .kick, filter: filter, expectedCount: 12431)
        #expect(driver.commands() == [.start(request)])
        var operation = Operation(
            id: 3, request: request, state: "running", changed: 1200, skipped: 0, reachedId: 1, startedAt: Sample.at,
            startedBy: nil, updatedAt: Sample.at, error: nil)
        driver.send(.outcome(.start(request), .success(.operation(operation))))
        #expect(driver.footer == "Operation 3: 1,200 of 12,431 jobs kicked. c stops it.")
        _ = driver.commands()
        driver.send(.time(100))
        #expect(driver.commands() == [.follow(operation: 3)])
        driver.type("c")
        #expect(driver.commands() == [.stop(operation: 3)])
        operation.state = "done"
        operation.changed = 12431
        driver.send(.outcome(.follow(operation: 3), .success(.operation(operation))))
        #expect(driver.footer == "Operation 3: 12,431 of 12,431 jobs kicked.")
    }

    /// A count that comes when the question was left asks nothing.
    @Test func aQuestionThatWasLeft() {
        var driver = jobs()
        driver.type("*d")
        driver.press(.escape)
        driver.send(
            .outcome(.count(JobFilter(tube: "mail")), .success(.counted(JobCount(count: 5, isPartial: false)))))
        driver.type("y")
        #expect(driver.commands() == [.count(JobFilter(tube: "mail"))])
    }

    @Test func aTube() {
        var driver = Driver()
        driver.type("k")
        #expect(driver.commands() == [.count(JobFilter(tube: "mail", state: "buried"))])
        driver.press(.escape, .down)
        driver.type("k")
        #expect(driver.commands() == [.count(JobFilter(tube: "thumbnails", state: "delayed"))], "none is buried")
        driver.press(.escape)
        driver.type("p")
        driver.press(.control("u"))
        driver.type("90")
        driver.press(.enter)
        #expect(driver.footer == "Pause thumbnails for 1m30s? y/N")
        driver.type("y")
        #expect(driver.commands() == [.tube("thumbnails", verb: "pause", TubeActionRequest(seconds: 90))])
        driver.type("uy")
        #expect(driver.commands() == [.tube("thumbnails", verb: "unpause", TubeActionRequest())])
    }

    @Test func whoMayNotActIsTold() {
        var refused = jobs(false)
        refused.type("dy")
        #expect(refused.footer.hasPrefix("enter"), "the key after the sentence takes it away")
        refused.type("d")
        #expect(refused.footer == "This listener lets you look only.")
        #expect(refused.commands() == [])
        var readOnly = Driver { $0.isReadOnly = true }
        readOnly.type("k")
        #expect(readOnly.footer == "This is read-only (--read-only).")
        var counts = Driver { $0.hasCountsOnly = true }
        counts.type("d")
        #expect(counts.footer.hasPrefix("Nothing can be done through beanstalkd's protocol"))
        counts.press(.enter)
        #expect(counts.footer.hasPrefix("beanstalkd's protocol tells counts only"))
        #expect(counts.commands() == [])
    }

    @Test func aRefusalIsShown() {
        var driver = jobs()
        driver.type("dy")
        driver.send(.outcome(.jobs(.delete, JobActionRequest(ids: [1])), .failure(Trouble("The database is away."))))
        #expect(driver.footer == "The database is away.")
    }
}
