//! What language models cost each practice, day by day.

use jiff::civil::Date;

use crate::domain::ids::PracticeId;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::link::args;

const ADD: &str = "INSERT INTO model_spend (practice, day, nanodollars) VALUES ($1, $2, $3) \
    ON CONFLICT (practice, day) \
    DO UPDATE SET nanodollars = model_spend.nanodollars + excluded.nanodollars";
const SINCE: &str = "SELECT CAST(COALESCE(SUM(nanodollars), 0) AS BIGINT) AS spent \
    FROM model_spend WHERE practice = $1 AND day >= $2";

impl Store {
    /// Adds what models cost a practice on a day, in billionths of a US dollar.
    pub async fn spend_on_models(
        &self,
        practice: &PracticeId,
        day: Date,
        nanodollars: u64,
    ) -> Result<(), StoreError> {
        let practice = practice.as_str().to_owned();
        let more = i64::try_from(nanodollars).unwrap_or(i64::MAX);
        self.write(move |tx| {
            let row = args![practice.as_str(), day.to_string(), more];
            Box::pin(async move { tx.run(ADD, row).await.map(drop) })
        })
        .await
    }

    /// What models cost a practice since a day, in billionths of a US dollar.
    pub async fn spent_on_models(
        &self,
        practice: &PracticeId,
        since: Date,
    ) -> Result<u64, StoreError> {
        let mut tx = self.read().await?;
        let find = args![practice.as_str(), since.to_string()];
        let spent = match tx.row(SINCE, find).await? {
            Some(row) => row.int("spent")?,
            None => 0,
        };
        Ok(u64::try_from(spent).unwrap_or(0))
    }
}
