//! Where the pages of a list begin, as a host says it: no list is followed for ever, whatever it says. No
//! I/O.

/// Pages of one list that are followed.
pub(super) const MAX_PAGES: usize = 200;

/// The markers of one list.
#[derive(Default)]
pub(super) struct PageMarkers {
    /// The last, and how many there were.
    marker: Option<String>,
    number: usize,
}

impl PageMarkers {
    /// Where the next page begins; none for the first.
    pub(super) fn last(&self) -> Option<&str> {
        self.marker.as_deref()
    }

    /// Goes on behind this one.
    ///
    /// # Errors
    /// What the host does that has no end, in words.
    pub(super) fn follow(&mut self, next: String) -> Result<(), String> {
        if self.marker.as_ref() == Some(&next) {
            return Err("gives the same page of its list again and again".to_owned());
        }
        self.number += 1;
        if self.number >= MAX_PAGES {
            return Err(format!("lists more than {MAX_PAGES} pages of clusters"));
        }
        self.marker = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_the_most_pages_is_whole_and_one_above_is_refused() {
        let mut markers = PageMarkers::default();
        assert_eq!(markers.last(), None);
        for number in 1..MAX_PAGES {
            assert_eq!(markers.follow(number.to_string()), Ok(()), "{number}");
            assert_eq!(markers.last(), Some(number.to_string().as_str()));
        }
        let more = markers.follow("more".to_owned());
        assert!(more.is_err_and(|why| why.contains("more than 200 pages")));
    }

    #[test]
    fn a_page_that_comes_again_ends_the_list() {
        let mut markers = PageMarkers::default();
        assert_eq!(markers.follow("a".to_owned()), Ok(()));
        let again = markers.follow("a".to_owned());
        assert!(again.is_err_and(|why| why.contains("the same page")));
    }
}
