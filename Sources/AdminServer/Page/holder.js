// Who has a job, in words.
import { t } from './texts.js';

export function holderText(holder) {
    if (!holder) return '';
    if (holder.sql_session) return t.holder.sql(holder.sql_session, holder.sql_login);
    const broker = t.holder.broker(holder.broker_host ?? holder.broker);
    return holder.client ? t.holder.client(holder.client, broker) : broker;
}
